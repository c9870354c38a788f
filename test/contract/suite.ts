import { afterAll, beforeAll, describe } from '@jest/globals';
import { backendNamed, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { batches } from './batches.js';
import { reading } from './reading.js';
import { writing } from './writing.js';

/** The contract over one back-end of `test/support/backends.ts`. Each back-end has a file in `backends/`, so that they run side by side. */
export const contract = (name: string): void => {
  const backend = backendNamed(name);
  describe(`contract: ${name}`, () => {
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
