/** Alibaba Cloud's own client, talking to a simulator. */
import openapi, { $OpenApiUtil } from '@alicloud/openapi-core';
import type { AlibabaEhpcSimulator } from '../simulators/alibaba-ehpc/index.js';

/** Calls one operation; answers its body. */
export type OfficialClient = (action: string, query: Readonly<Record<string, string>>) => Promise<unknown>;

export const officialClient = ({ endpoint, accessKeyId, accessKeySecret, region }: AlibabaEhpcSimulator): OfficialClient => {
  const client = new openapi.default(
    new $OpenApiUtil.Config({
      accessKeyId,
      accessKeySecret,
      regionId: region,
      protocol: 'HTTP',
      endpoint: endpoint.replace('http://', ''),
    }),
  );
  return async (action, query) => {
    const params = new $OpenApiUtil.Params({
      action,
      version: '2018-04-12',
      protocol: 'HTTP',
      pathname: '/',
      method: 'GET',
      authType: 'AK',
      style: 'RPC',
      reqBodyType: 'formData',
      bodyType: 'json',
    });
    const request = new $OpenApiUtil.OpenApiRequest({ query: { ...query } });
    const answer = await client.callApi(params, request, {} as Parameters<typeof client.callApi>[2]);
    return (answer as { body: unknown }).body;
  };
};
