/** Windows over E-HPC's two listings. */
import type { AdapterContext, Call, UserSlice, UserWindow } from '../../src/adapter.js';
import { pollDelay } from '../../src/deadline.js';
import { GatewayError } from '../../src/errors.js';
import { byNumber, mapRows, type Page, type PageOf } from '../../src/paging.js';
import { readWindow } from '../../src/read-window.js';
import { badResponse } from '../../src/wire.js';
import type { AsyncPage, EhpcClient, PageNumber } from './client.js';
import type { EhpcConfig } from './config.js';
import { isUnknownAction } from './errors.js';
import { toUser } from './mapping.js';
import type { UserInfo } from './types.js';

export const MAX_PAGE_SIZE = 50;
export const PAGING = byNumber(MAX_PAGE_SIZE);

const FIRST_POLL_MS = 50;
const MAX_POLL_MS = 2_000;
/** A task that is not over by then is given up. */
const LIST_SECONDS = 60;

const FAILED = /^(fail|partialfail|error|timeout|cancel|exception)/i;
const FINISHED = /^(success|succeed|finish|complete|done)/i;

/** The vendor refused the id of a task, which it may have forgotten. */
class StaleTask extends Error {
  constructor(override readonly cause: unknown) {
    super('stale AsyncId');
  }
}

/** The code for a forgotten task is not documented: any that is about the request will do. */
const isRefusal = (error: unknown): boolean =>
  error instanceof GatewayError &&
  !isUnknownAction(error) &&
  ((error.code === 'vendor_bad_response' && typeof error.vendor?.code === 'string') || error.code === 'cluster_agent_failed');

/** Marks a task that was started but cannot be asked for again. */
const CANNOT_FOLLOW = new Error('no AsyncId');

export const pageNumber = ({ start, size }: Page): PageNumber => ({ page: start / size + 1, size });

/** Without a status, a total is the sign: an unfinished task has none to tell. */
const isFinished = ({ asyncStatus, total }: AsyncPage): boolean =>
  asyncStatus === null ? total !== null : FINISHED.test(asyncStatus);

/**
 * The documents disagree whether TotalCount counts the list or the page. On a first page that is full and as long as its total, the next
 * page decides; a total that is smaller than the position of its page counts the page. Full is a page as long as was asked for, or as
 * the vendor says that its pages are.
 */
const withHonestTotal = async (
  page: PageNumber,
  fetchPage: (page: PageNumber) => Promise<PageOf<UserInfo>>,
): Promise<PageOf<UserInfo>> => {
  const answer = await fetchPage(page);
  const { rows, total } = answer;
  if (total === null || total > rows.length) return answer;
  if (rows.length === 0 && page.page > 1) return { ...answer, total: null };
  if (page.page === 1 && rows.length < page.size && rows.length !== answer.size) return answer;
  if (rows.length === 0) return answer;
  if (page.page === 1 && (await fetchPage({ page: 2, size: page.size })).rows.length === 0) return answer;
  return { ...answer, total: null };
};

export const createListing = (client: EhpcClient, { config, now, sleep }: AdapterContext<EhpcConfig>) => {
  let asyncKnown = config.listing === 'async';

  const readPages = async (
    window: UserWindow,
    fetchPage: (page: PageNumber) => Promise<PageOf<UserInfo>>,
  ): Promise<UserSlice> => {
    const { rows: users, ...rest } = await readWindow(window, PAGING, {
      fetch: async (page) => mapRows(await withHonestTotal(pageNumber(page), fetchPage), (row) => toUser(row, config.timeZone)),
      keyOf: ({ username }) => username,
    });
    return { users, ...rest };
  };

  /** Asks until the task of `answer` is over; the answer that says so holds the page that was asked for. */
  const untilFinished = async (clusterId: string, page: PageNumber, first: AsyncPage, call: Call): Promise<AsyncPage> => {
    let answer = first;
    const startedAt = now().getTime();
    let sleptMs = 0;
    for (let poll = 0; !isFinished(answer); poll++) {
      if (FAILED.test(answer.asyncStatus ?? '')) {
        throw new GatewayError('cluster_agent_failed', `The cluster could not list its users (${answer.asyncStatus}).`);
      }
      if (answer.asyncId === null) throw badResponse('an unfinished listing without AsyncId', { cause: CANNOT_FOLLOW });
      const waitMs = pollDelay(poll, FIRST_POLL_MS, MAX_POLL_MS);
      // The time for signing may jump, so what was slept counts too.
      if (Math.max(sleptMs, now().getTime() - startedAt) + waitMs > LIST_SECONDS * 1000)
        throw new GatewayError('vendor_timeout', `The vendor has not finished its listing in ${LIST_SECONDS} s.`);
      await sleep(waitMs, call.signal);
      sleptMs += waitMs;
      answer = await client.listUsersAsync(clusterId, page, answer.asyncId, call).catch((error: unknown) => {
        throw isRefusal(error) ? new StaleTask(error) : error;
      });
    }
    return answer;
  };

  /** Starts a task, or continues a finished one, and pages with its id: all pages are of one state of the cluster. */
  const listAsync = async (clusterId: string, window: UserWindow, snapshot: string | null, call: Call): Promise<UserSlice> => {
    let asyncId = snapshot;
    const slice = await readPages(window, async (page) => {
      const own = asyncId;
      try {
        const answer = await client.listUsersAsync(clusterId, page, own, call);
        const finished = await untilFinished(clusterId, page, answer, call);
        asyncId = finished.asyncId;
        return finished;
      } catch (error) {
        throw own !== null && isRefusal(error) ? new StaleTask(error) : error;
      }
    });
    return { ...slice, ...(asyncId !== null && { snapshot: asyncId }) };
  };

  /** The lifetime of an AsyncId is not documented: what the vendor refuses with one may go well with a new one. */
  const listAsyncAgain = async (clusterId: string, window: UserWindow, call: Call): Promise<UserSlice> => {
    const again = (thrown: unknown): Promise<UserSlice> => {
      if (!(thrown instanceof StaleTask)) throw thrown;
      return listAsync(clusterId, window, null, call);
    };
    return listAsync(clusterId, window, window.snapshot ?? null, call)
      .catch(again)
      .catch((thrown: unknown) => {
        throw thrown instanceof StaleTask ? thrown.cause : thrown;
      });
  };

  const listSync = (clusterId: string, window: UserWindow, call: Call): Promise<UserSlice> =>
    readPages(window, (page) => client.listUsers(clusterId, page, call));

  return async (clusterId: string, window: UserWindow, call: Call): Promise<UserSlice> => {
    if (!asyncKnown) return listSync(clusterId, window, call);
    try {
      return await listAsyncAgain(clusterId, window, call);
    } catch (error) {
      if (isUnknownAction(error)) asyncKnown = false;
      else if (!(error instanceof GatewayError) || error.cause !== CANNOT_FOLLOW) throw error;
      return listSync(clusterId, window, call);
    }
  };
};
