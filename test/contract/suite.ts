import { afterAll, beforeAll, describe } from '@jest/globals';
import { BACKENDS, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { batches } from './batches.js';
import { reading } from './reading.js';
import { writing } from './writing.js';

/** The contract over every back-end of a vendor. */
export const contract = (vendor: string): void => {
  const backends = BACKENDS.filter((backend) => backend.vendor === vendor);
  describe.each(backends.map((backend) => [backend.name, backend] as const))('contract: %s', (_, backend) => {
    let live: LiveBackend;
    let gateway: TestGateway;
    beforeAll(async () => {
      live = await backend.start();
      gateway = await startGateway(live.raw);
    });
    afterAll(async () => {
      await gateway.stop();
      await live.close();
    });
    const subject = { backend, gateway: () => gateway, live: () => live };

    describe('reading', () => reading(subject));
    describe('writing', () => writing(subject));
    describe('batches', () => batches(subject));
  });
};
