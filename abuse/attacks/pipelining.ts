/** Many requests at once on each connection, and no answer is read. */
import type { Attack } from '../types.js';
import { head, hold, share, sleep } from './sockets.js';

const CONNECTIONS = 50;
const REQUESTS = 1_400;

export const pipelining: Attack = {
  caller: 'attacking',
  connections: CONNECTIONS,
  prepare: (order) => async (tally) => {
    const requests = head(order.target, 'GET /clusters/ehpc/users?limit=10').repeat(REQUESTS);
    const until = performance.now() + order.ms;
    const { close } = await hold(order, tally, share(order, CONNECTIONS), (socket) => {
      socket.pause();
      tally.sent += REQUESTS;
      socket.write(requests);
    });
    await sleep(Math.max(0, until - performance.now()));
    close();
  },
};
