/** `hpc-gateway audit verify`: whether the audit trail is whole. */
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { adapters } from '../../adapters/index.js';
import { type Anchor, verifyTrail } from '../../src/audit/verify.js';
import { environment } from '../../src/config/environment.js';
import { errnoOf } from '../../src/config/error.js';
import { loadConfig } from '../../src/config/load.js';
import { openForReading } from '../../src/store/reading.js';
import { isObject, parseObject } from '../../src/wire.js';
import { UsageError } from './usage.js';

const toAnchor = (line: string): Anchor | undefined => {
  // Most lines are about something else.
  if (!line.includes('"audit"')) return undefined;
  const audit = parseObject(line)?.['audit'];
  if (!isObject(audit)) return undefined;
  const { chain, seq, mac } = audit;
  return typeof chain === 'string' && typeof seq === 'number' && typeof mac === 'string' ? { chain, seq, mac } : undefined;
};

const addAnchors = async (path: string, anchors: Anchor[]): Promise<void> => {
  const file = await open(path);
  try {
    for await (const line of createInterface({ input: file.createReadStream({ encoding: 'utf8', autoClose: false }) })) {
      const anchor = toAnchor(line);
      if (anchor) anchors.push(anchor);
    }
  } finally {
    await file.close();
  }
};

/** Ends of chains in logs of gateways. @throws UsageError */
const anchorsIn = async (paths: readonly string[]): Promise<Anchor[]> => {
  const anchors: Anchor[] = [];
  for (const path of paths)
    await addAnchors(path, anchors).catch((error: unknown) => {
      throw new UsageError(`${path} cannot be read (${errnoOf(error)}).`);
    });
  return anchors;
};

export interface Verified {
  readonly text: string;
  readonly isWhole: boolean;
}

/** @param logs files with lines of the log @throws UsageError, ConfigError */
export const verifyAudit = async (logs: readonly string[]): Promise<Verified> => {
  const { HPC_GATEWAY_CONFIG: path } = environment;
  if (!path) throw new UsageError('HPC_GATEWAY_CONFIG has to name the configuration, whose store and key are used.');
  const { store: config } = loadConfig(path, adapters, environment);
  const anchors = await anchorsIn(logs);
  const { store, encryptor } = openForReading(config);
  try {
    const reports = await verifyTrail(store, encryptor.mac, anchors);
    const lines = reports.map(
      ({ chain, records, fault }) => `${fault === undefined ? 'whole' : 'FAULT'}  ${chain}: ${fault ?? `${records} records`}`,
    );
    const faults = reports.filter(({ fault }) => fault !== undefined).length;
    const all = reports.reduce((sum, { records }) => sum + records, 0);
    const summary = `${reports.length} chains, ${all} records checked, ${anchors.length} anchors of logs, ${faults} faults`;
    return { text: `${[...lines, summary].join('\n')}\n`, isWhole: faults === 0 };
  } finally {
    await store.close();
  }
};
