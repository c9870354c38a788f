import { lowerText } from '../kit/random.js';
import { refuse } from './errors.js';
import type { EhpcQuirks } from './quirks.js';
import { type Page, pageOf, rowsOf } from './rules.js';
import { type EhpcState, type EhpcUser, GID } from './state.js';
import type { EhpcCall } from './urls.js';

export type AsyncListing = 'delayed' | 'instant' | 'unsupported' | 'fails';

export interface ListingOptions {
  readonly asyncListing: AsyncListing;
  readonly asyncDelayMs: number;
  readonly asyncLifetimeMs: number;
  readonly region: string;
}

type Row = Record<string, string | number>;

const HOUR_MS = 3_600_000;

const timeOf = (user: EhpcUser, style: 'zoneless' | 'utc' | 'missing', quirks: EhpcQuirks): Row => {
  if (style === 'missing') return {};
  const at = new Date(user.addTime);
  if (style === 'utc') return { AddTime: at.toISOString() };
  const shown = quirks.zonelessClock === 'china' ? new Date(at.getTime() + 8 * HOUR_MS) : at;
  return { AddTime: shown.toISOString().slice(0, 19) };
};

const idsOf = ({ uid, group }: EhpcUser, quirks: EhpcQuirks): Row =>
  quirks.ids === 'number' ? { UserId: uid, GroupId: GID[group] } : { UserId: String(uid), GroupId: String(GID[group]) };

const envelope = (page: Page, total: number, rows: readonly Row[], quirks: EhpcQuirks) => {
  const missing = rows.length === 0 && quirks.noUsers === 'missing';
  const users = quirks.users === 'bare-array' ? rows : { UserInfo: rows };
  return {
    PageNumber: page.number,
    PageSize: quirks.pageSize === 'rows' ? rows.length : page.size,
    TotalCount: quirks.totalCount === 'page' ? rows.length : total,
    ...(missing ? {} : { Users: users }),
  };
};

export const listUsers = (call: EhpcCall, clusterId: string, state: EhpcState, quirks: EhpcQuirks) => {
  const page = pageOf(call.values);
  const users = [...state.runningCluster(clusterId).users.values()];
  const rows = rowsOf(users, page).map(
    (user): Row => ({ Name: user.name, Group: user.group, ...timeOf(user, quirks.addTime, quirks) }),
  );
  return envelope(page, users.length, rows, quirks);
};

interface Task {
  readonly clusterId: string;
  readonly startedAt: number;
  /** The rows as they were when the task started; every page of one AsyncId shows the same list. */
  readonly rows: readonly Row[];
}

/**
 * 4a and 9.17: without AsyncId a task is started; asking with it gives `Processing` and no users until the task is over.
 * Task times are real time, so that a frozen or skewed clock neither holds a task up nor ends it.
 */
export const createAsyncListing = (state: EhpcState, quirks: EhpcQuirks, options: ListingOptions) => {
  const tasks = new Map<string, Task>();

  const start = (clusterId: string): string => {
    for (const [id, task] of tasks) if (performance.now() - task.startedAt > options.asyncLifetimeMs) tasks.delete(id);
    const users = [...state.runningCluster(clusterId).users.values()];
    const rows = users.map(
      (user): Row => ({
        Name: user.name,
        Group: user.group,
        ...idsOf(user, quirks),
        ...timeOf(user, quirks.asyncAddTime, quirks),
      }),
    );
    const id = `t-${options.region.replace(/^cn-/, '').slice(0, 2)}${lowerText(13)}`;
    tasks.set(id, { clusterId, startedAt: performance.now(), rows });
    return id;
  };

  const find = (id: string, clusterId: string): Task => {
    const task = tasks.get(id);
    const alive = task !== undefined && performance.now() - task.startedAt <= options.asyncLifetimeMs;
    return alive && task.clusterId === clusterId ? task : refuse('InvalidParams', 'AsyncId');
  };

  const statusOf = (task: Task): 'Processing' | 'Success' | 'Failed' => {
    if (options.asyncListing === 'instant') return 'Success';
    if (performance.now() - task.startedAt < options.asyncDelayMs) return 'Processing';
    return options.asyncListing === 'fails' ? 'Failed' : 'Success';
  };

  return (call: EhpcCall, clusterId: string) => {
    const page = pageOf(call.values);
    state.runningCluster(clusterId);
    const asked = call.values.get('AsyncId') ?? '';
    const id = asked === '' ? start(clusterId) : asked;
    const task = find(id, clusterId);
    // A fresh task is never finished at once, however short the delay: the first answer of 'delayed' has no users.
    const status = asked === '' && options.asyncListing !== 'instant' ? 'Processing' : statusOf(task);
    const rows = status === 'Success' ? task.rows : [];
    const list = envelope(page, rows.length, rowsOf(rows, page), quirks);
    return { ...list, ...(quirks.asyncId === 'missing' ? {} : { AsyncId: id }), AsyncStatus: status };
  };
};
