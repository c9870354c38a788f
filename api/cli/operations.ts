/** `hpc-gateway operations …`. */
import {
  type GatewayClient,
  GatewayUnreachable,
  type Operation,
  type OperationHead,
  type OperationQuery,
} from '@hpc-gateway/client';
import { connect, type GatewayOptions, PATIENT_ATTEMPTS } from './connect.js';
import { EXIT } from './exit.js';
import { whenInterrupted } from './interrupts.js';
import { isRead, say, writeJson, writeLine, writeTable } from './output.js';
import { createProgress } from './progress.js';
import { inWords, writeResults } from './results.js';

export interface ListOptions extends GatewayOptions {
  readonly cluster?: string;
  readonly state?: NonNullable<OperationQuery['state']>;
  readonly limit: number;
  readonly ndjson?: true;
}

/** The largest window of the gateway. */
const WINDOW = 200;

const COLUMNS = ['ID', 'KIND', 'CLUSTER', 'STATE', 'ITEMS', 'RESULT', 'ACCEPTED'];
const toRow = ({ id, kind, clusterId, state, progress, summary, createdAt }: OperationHead) => [
  id,
  kind,
  clusterId,
  state,
  `${progress.settled} of ${progress.total}`,
  inWords(summary),
  createdAt,
];

export const listOperations = async (options: ListOptions): Promise<number> => {
  const { cluster, state, limit, ndjson, json } = options;
  const gateway = await connect(options);
  const query = { limit: Math.min(limit, WINDOW), ...(cluster !== undefined && { clusterId: cluster }), ...(state && { state }) };
  const heads: OperationHead[] = [];
  let left = limit;
  for await (const head of gateway.operations(query)) {
    if (ndjson) writeLine(head);
    else heads.push(head);
    if (--left === 0 || !isRead()) break;
  }
  if (json) writeJson(heads);
  else if (!ndjson) writeTable(COLUMNS, heads.map(toRow));
  return EXIT.done;
};

const show = (operation: Operation, { json }: GatewayOptions): void => {
  if (json) {
    writeJson(operation);
    return;
  }
  writeTable(COLUMNS, [toRow(operation)]);
  if (operation.results.length > 0) writeResults(operation.results, (index) => index + 1);
};

export const showOperation = async (id: string, options: GatewayOptions): Promise<number> => {
  const gateway = await connect(options);
  show(await gateway.operation(id), options);
  return EXIT.done;
};

export const cancelOperation = async (id: string, options: GatewayOptions): Promise<number> => {
  const gateway = await connect(options);
  const operation = await gateway.cancelOperation(id);
  show(operation, options);
  if (operation.state === 'cancelled') return EXIT.done;
  say('The operation had ended before, or all its items were sent.');
  return EXIT.notDone;
};

export interface WaitOptions extends GatewayOptions {
  readonly timeout: number;
}

/** With a bar on a terminal. @throws WaitTimeout */
export const follow = async (gateway: GatewayClient, id: string, timeout: number): Promise<Operation> => {
  const progress = createProgress();
  const words = (): string => `The operation continues in the gateway. To keep waiting: hpc-gateway operations wait ${id}`;
  try {
    return await whenInterrupted(
      () => `\n${words()}`,
      () =>
        gateway.waitForOperation(id, {
          timeoutMs: timeout * 1000,
          onProgress: ({ progress: { settled, total } }) => progress.show(settled, total),
        }),
    );
  } catch (error) {
    progress.end();
    if (error instanceof GatewayUnreachable) say(words());
    throw error;
  } finally {
    progress.end();
  }
};

export const waitForOperation = async (id: string, options: WaitOptions): Promise<number> => {
  const operation = await follow(await connect(options, PATIENT_ATTEMPTS), id, options.timeout);
  show(operation, options);
  return operation.state === 'succeeded' ? EXIT.done : EXIT.notDone;
};
