/** The same lines against every cluster of a gateway: what differs by vendor is data (`capabilities`), and what is wrong has one name. */
import { createClient, GatewayProblem } from '@hpc-gateway/client';

const { HPC_GATEWAY_URL: url, HPC_GATEWAY_KEY: key } = process.env;
const gateway = createClient({ url: url || 'http://127.0.0.1:8080', key: key || undefined });
const NAME = 'pair01';
const PASSWORD = 'Choose@Your0wn';

/** What came of it, or the stable name of the problem. */
const outcome = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
    return 'done';
  } catch (error) {
    if (error instanceof GatewayProblem) return error.code;
    throw error;
  }
};

const compare = async (): Promise<void> => {
  const { items: clusters } = await gateway.clusters();
  const rows: Record<string, Record<string, string | number>> = {};
  for (const { id, vendor, capabilities } of clusters) {
    let users = 0;
    for await (const _ of gateway.users(id)) users++;
    rows[id] = {
      vendor,
      users,
      'can change roles': capabilities.features.includes('setRole') ? 'yes' : 'no',
      create: await outcome(() => gateway.createUser(id, { username: NAME, password: PASSWORD })),
      'create again': await outcome(() => gateway.createUser(id, { username: NAME, password: PASSWORD })),
      'make an admin': await outcome(() => gateway.setRole(id, NAME, 'admin')),
      delete: await outcome(() => gateway.deleteUser(id, NAME)),
      'delete again': await outcome(() => gateway.deleteUser(id, NAME)),
    };
  }
  console.table(rows);
};

compare().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
