/** Windows over E-HPC's two listings. */
import type { Call, UserSlice, UserWindow } from '../../src/adapter.js';
import { pause, pollDelay } from '../../src/deadline.js';
import { GatewayError } from '../../src/errors.js';
import { numberedPages, type Page, readWindow } from '../../src/paging.js';
import { badResponse } from '../../src/wire.js';
import type { AsyncPage, EhpcClient, PageNumber } from './client.js';
import { isUnknownAction } from './errors.js';
import { toUser } from './mapping.js';
import type { UserInfo } from './types.js';

export const MAX_PAGE_SIZE = 50;

const FIRST_POLL_MS = 50;
const LONGEST_POLL_MS = 2_000;

const FAILED = /^(fail|partialfail|error|timeout|cancel|exception)/i;
const FINISHED = /^(success|succeed|finish|complete|done)/i;

export const pageNumber = ({ start, size }: Page): PageNumber => ({ page: start / size + 1, size });

/** Without a status, a total is the sign: an unfinished task has none to tell. */
const isFinished = ({ asyncStatus, total }: AsyncPage): boolean =>
  asyncStatus === null ? total !== null : FINISHED.test(asyncStatus);

export const createListing = (client: EhpcClient, listing: 'async' | 'sync', timeZone: string) => {
  let asyncKnown = listing === 'async';

  const readPages = async (
    window: UserWindow,
    fetchPage: (page: PageNumber) => Promise<{ rows: readonly UserInfo[]; total: number | null }>,
  ): Promise<UserSlice> => {
    const pages = numberedPages(window.offset, window.limit, MAX_PAGE_SIZE);
    const { rows, total } = await readWindow(window, pages, (page) => fetchPage(pageNumber(page)));
    return { users: rows.map((row) => toUser(row, timeZone)), total };
  };

  /** Asks until the task of `answer` is over; the answer that says so holds the page that was asked for. */
  const untilFinished = async (clusterId: string, page: PageNumber, first: AsyncPage, call: Call): Promise<AsyncPage> => {
    let answer = first;
    for (let poll = 0; !isFinished(answer); poll++) {
      if (FAILED.test(answer.asyncStatus ?? '')) {
        throw new GatewayError('cluster_agent_failed', `The cluster could not list its users (${answer.asyncStatus}).`);
      }
      if (answer.asyncId === null) throw badResponse('an unfinished listing without AsyncId');
      await pause(pollDelay(poll, FIRST_POLL_MS, LONGEST_POLL_MS), call.signal);
      answer = await client.listUsersAsync(clusterId, page, answer.asyncId, call);
    }
    return answer;
  };

  /** Starts a task, or goes on with a finished one, and pages with its id: all pages are of one state of the cluster. */
  const listAsync = async (clusterId: string, window: UserWindow, snapshot: string | null, call: Call): Promise<UserSlice> => {
    let asyncId = snapshot;
    const slice = await readPages(window, async (page) => {
      const answer = await client.listUsersAsync(clusterId, page, asyncId, call);
      const finished = await untilFinished(clusterId, page, answer, call);
      asyncId = finished.asyncId;
      return finished;
    });
    return { ...slice, ...(asyncId !== null && { snapshot: asyncId }) };
  };

  /** The lifetime of an AsyncId is not documented: what the vendor refuses with one may go well with a new one. */
  const listAsyncAgain = async (clusterId: string, window: UserWindow, call: Call): Promise<UserSlice> => {
    if (window.snapshot === undefined) return listAsync(clusterId, window, null, call);
    try {
      return await listAsync(clusterId, window, window.snapshot, call);
    } catch (error) {
      const stale = error instanceof GatewayError && (error.code === 'invalid_user' || error.code === 'cluster_agent_failed');
      if (!stale) throw error;
      return listAsync(clusterId, window, null, call);
    }
  };

  const listSync = (clusterId: string, window: UserWindow, call: Call): Promise<UserSlice> =>
    readPages(window, (page) => client.listUsers(clusterId, page, call));

  return async (clusterId: string, window: UserWindow, call: Call): Promise<UserSlice> => {
    if (!asyncKnown) return listSync(clusterId, window, call);
    try {
      return await listAsyncAgain(clusterId, window, call);
    } catch (error) {
      if (!isUnknownAction(error)) throw error;
      asyncKnown = false;
      return listSync(clusterId, window, call);
    }
  };
};
