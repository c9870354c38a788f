import { describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, ehpcAccount } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import { startGateway } from '../support/gateway.js';

const stage = bothVendors();

describe('secrets', () => {
  const PASSWORD = 'Sup3r@Secret#42';

  it.each(['acs3', 'rpc-v1'])(
    'never come back in a vendor’s message, not even where it quotes the request (%s)',
    async (signature) => {
      const account = {
        ...ehpcAccount(stage.ehpc),
        signature,
        credentials: { accessKeyId: stage.ehpc.accessKeyId, accessKeySecret: 'a-wrong-secret' },
      };
      const wrong = await startGateway({
        accounts: { a: account },
        clusters: [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }],
      });
      const answer = await wrong.get('/clusters/c/users');
      expect(answer.body.code).toBe('vendor_credentials_rejected');
      expect(answer.text).not.toContain(stage.ehpc.accessKeyId);
      expect(answer.text).not.toContain('%2F');
      await wrong.stop();
    },
  );

  it.each([PASSWORD, encodeURIComponent(PASSWORD), encodeURIComponent(encodeURIComponent(PASSWORD))])(
    'a vendor that echoes %s',
    async (echo) => {
      stage.ehpc.inject({
        kind: 'vendor_error',
        code: 'InvalidParams',
        status: 400,
        message: `The value ${echo} is bad.`,
        action: 'AddUsers',
      });
      stage.shanhe.inject({ kind: 'vendor_error', code: '1101', message: `The value ${echo} is bad.`, action: '/user/addUser' });
      for (const [cluster, username] of [
        ['ali', 'echoed.user'],
        ['shan', 'echoed'],
      ]) {
        const { status, body, text } = await stage.gateway.post(`/clusters/${cluster}/users`, { username, password: PASSWORD });
        expect([status, body.vendor.message]).toEqual([422, 'The value [redacted] is bad.']);
        expect(text + stage.gateway.logged()).not.toContain(echo);
      }
    },
  );
});
