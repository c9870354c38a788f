import { startDemoSimulators } from './demo.js';

/** A port from the environment; absent or empty is any free one. */
const portFrom = (name: string): number => {
  const raw = process.env[name] ?? '';
  if (raw === '') return 0;
  if (/^\d{1,5}$/.test(raw) && Number(raw) <= 65_535) return Number(raw);
  throw new Error(`${name} must be a port from 0 to 65535, not '${raw}'`);
};

/** Both halves of a key from the environment, or neither: then it is random. */
const keyFrom = (idName: string, secretName: string): readonly [id: string, secret: string] | undefined => {
  const [id, secret] = [process.env[idName] ?? '', process.env[secretName] ?? ''];
  if (id === '' && secret === '') return undefined;
  if (id === '' || secret === '')
    throw new Error(`${id === '' ? idName : secretName} is missing; ${idName} and ${secretName} go together`);
  return [id, secret];
};

const reason = (cause: unknown): string => {
  const { code, port, message } = cause as NodeJS.ErrnoException & { port?: number };
  return code === 'EADDRINUSE' ? `port ${port} is in use; choose another ALIBABA_PORT or SHANHE_PORT` : message;
};

const serve = async () => {
  const alibabaKey = keyFrom('ALIBABA_ACCESS_KEY_ID', 'ALIBABA_ACCESS_KEY_SECRET');
  const shanheKey = keyFrom('SHANHE_ACCESS_KEY_ID', 'SHANHE_SECRET_ACCESS_KEY');
  const { alibaba, shanhe } = await startDemoSimulators({
    alibabaKey: alibabaKey && { accessKeyId: alibabaKey[0], accessKeySecret: alibabaKey[1] },
    shanheKey: shanheKey && { accessKeyId: shanheKey[0], secretAccessKey: shanheKey[1] },
    alibabaPort: portFrom('ALIBABA_PORT'),
    shanhePort: portFrom('SHANHE_PORT'),
  });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.all([alibaba.close(), shanhe.close()]);
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const line = {
    'alibaba-ehpc': {
      endpoint: alibaba.endpoint,
      accessKeyId: alibaba.accessKeyId,
      accessKeySecret: alibaba.accessKeySecret,
      region: alibaba.region,
      clusters: alibaba.clusters,
    },
    'shanhe-hpc': {
      endpoint: shanhe.endpoint,
      accessKeyId: shanhe.accessKeyId,
      secretAccessKey: shanhe.secretAccessKey,
      zone: shanhe.zone,
      clusters: shanhe.clusters,
    },
  };
  console.log(JSON.stringify(line));
};

serve().catch((cause) => {
  console.error(`simulators: ${reason(cause)}`);
  process.exit(1);
});
