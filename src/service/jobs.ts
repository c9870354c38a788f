import type { Call, JobState, Receipt } from '../adapter.js';
import { pause, pollDelay } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Account } from '../registry.js';

const FIRST_POLL_MS = 150;
const LONGEST_POLL_MS = 5_000;

/** A vendor may list a job a little later than it names it. */
const POLLS_UNTIL_LISTED = 6;

const failed = (account: Account, code: string | null): GatewayError =>
  new GatewayError('cluster_agent_failed', "The vendor's job failed.", {
    vendor: { name: account.module.vendor, code, message: null, requestId: null, status: null },
  });

/**
 * Resolves when what the vendor took is done. An outage while following is no verdict on the job: the polls go on.
 * @throws cluster_agent_failed when the job failed; vendor_bad_response when the vendor does not list it; both to be settled by reading back
 */
export const completed = async (account: Account, receipt: Receipt, call: Call): Promise<void> => {
  if (receipt.state === 'applied') return;
  const { getJob } = account.adapter;
  if (!getJob) throw new GatewayError('internal_error', `The adapter ${account.module.vendor} names a job but cannot follow it.`);

  /** What fails here is the looking, not the job. */
  const look = async (): Promise<JobState> => {
    try {
      return await getJob(receipt.job, call);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (call.signal.aborted || !error.retryable) throw error.withEffect('open');
      await pause(error.retryAfterMs ?? 0, call.signal);
      return { state: 'pending' };
    }
  };

  let unlisted = 0;
  for (let poll = 0; ; poll++) {
    await pause(pollDelay(poll, FIRST_POLL_MS, LONGEST_POLL_MS), call.signal);
    const job = await look();
    if (job.state === 'succeeded') return;
    if (job.state === 'failed') throw failed(account, job.code);
    if (job.state === 'unknown' && ++unlisted >= POLLS_UNTIL_LISTED) {
      throw new GatewayError('vendor_bad_response', 'The vendor does not list the job that it named.');
    }
  }
};
