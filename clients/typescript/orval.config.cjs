/** How orval generates: functions that call `request` of orval-request.ts, which knows where the gateway is. */
module.exports = {
  gateway: {
    input: '../generated/openapi.json',
    output: {
      target: '../generated/orval/api.ts',
      // Not `fetch`: what this release generates for an answer `2XX` is a syntax error.
      client: 'axios-functions',
      // With the parameters that are headers, such as `Idempotency-Key`.
      headers: true,
      override: { mutator: { path: './orval-request.ts', name: 'request', extension: '.js' } },
    },
  },
};
