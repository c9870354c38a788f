/** The log's lines about vendors: every call for those who look closely, and what an operator has to know. */
import type { Logger } from 'pino';
import type { Events } from './events.js';

export const logEvents = (events: Events, log: Logger): void => {
  events.on('vendorCall', ({ requestId, trace, vendorRequestId, durationMs, ...call }) => {
    if (!log.isLevelEnabled('debug')) return;
    const { account, vendor, action, cluster, kind, attempt, outcome } = call;
    log.debug(
      {
        ...{ requestId, traceId: trace?.traceId, account, vendor, action, cluster, kind, attempt, outcome },
        vendorRequestId: vendorRequestId(),
        ms: Math.round(durationMs),
      },
      'vendor call',
    );
  });

  events.on('breaker', ({ account, vendor, cluster, isDown, health: { lastFailure, lastSuccessAt } }) => {
    const facts = { account, vendor, cluster };
    if (!isDown) log.info(facts, 'the vendor works again');
    else
      log.warn(
        {
          ...facts,
          code: lastFailure?.code,
          lastSuccessAt: lastSuccessAt === null ? null : new Date(lastSuccessAt).toISOString(),
        },
        'the vendor is down: calls failed many times in a row, and are held back',
      );
  });
};
