/** `hpc-gateway clusters`. */
import { connect, type GatewayOptions } from './connect.js';
import { EXIT } from './exit.js';
import { say, visible, writeJson, writeTable } from './output.js';

export const showClusters = async (options: GatewayOptions): Promise<number> => {
  const gateway = await connect(options);
  const list = await gateway.clusters();
  if (options.json) writeJson(list);
  else
    writeTable(
      ['ID', 'NAME', 'VENDOR', 'ACCOUNT', 'STATE', 'HEALTH', 'CAN'],
      list.items.map(({ id, name, vendor, account, state, health, capabilities }) => [
        id,
        name,
        vendor,
        account,
        state,
        health.state,
        capabilities.features.join(' '),
      ]),
    );
  for (const { account, problem } of list.problems)
    say(visible(`The account ${account} could not be asked: ${problem.detail} (${problem.code})`));
  return EXIT.done;
};
