import { type Fault, inventedName, takePage } from '../kit/index.js';
import { lowerText } from '../kit/random.js';
import { refuse } from './errors.js';
import type { EhpcQuirks } from './quirks.js';
import { type NumberedPage, pageOf } from './rules.js';
import { type EhpcState, type EhpcUser, GID } from './state.js';
import type { EhpcCall } from './urls.js';

export type AsyncListing = 'delayed' | 'instant' | 'unsupported' | 'fails' | 'never';

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

const envelope = (page: NumberedPage, total: number, rows: readonly Row[], quirks: EhpcQuirks) => {
  const missing = rows.length === 0 && quirks.noUsers === 'missing';
  const users = quirks.users === 'bare-array' ? rows : { UserInfo: rows };
  return {
    PageNumber: page.number,
    PageSize: quirks.pageSize === 'rows' ? rows.length : page.size,
    TotalCount: quirks.totalCount === 'page' ? rows.length : total,
    ...(missing ? {} : { Users: users }),
  };
};

/** The user at this place of a list without end. */
const inventedUser = (position: number): EhpcUser => ({
  name: inventedName(position),
  group: 'users',
  uid: 1_000_000 + position,
  addTime: '2020-10-30T07:39:20.000Z',
  passwordHash: null,
});

export const listUsers = (call: EhpcCall, fault: Fault | null, clusterId: string, state: EhpcState, quirks: EhpcQuirks) => {
  const page = pageOf(call.values, quirks, fault);
  const users = [...state.runningCluster(clusterId).users.values()];
  const { total, rows } = takePage(users, page, fault, inventedUser);
  const shown = rows.map((user): Row => ({ Name: user.name, Group: user.group, ...timeOf(user, quirks.addTime, quirks) }));
  return envelope(page, total, shown, quirks);
};

interface Task {
  readonly clusterId: string;
  readonly startedAt: number;
  /** The rows as they were when the task started; every page of one AsyncId shows the same list. */
  readonly rows: readonly Row[];
  endless: boolean;
}

export interface AsyncUserListing {
  list(call: EhpcCall, fault: Fault | null, clusterId: string): Readonly<Record<string, unknown>>;
  /** Whether this call would be answered with rows now. */
  hasRows(call: EhpcCall): boolean;
}

/**
 * 4a and 9.17: without AsyncId a task is started; asking with it gives `Processing` and no users until the task is over.
 * Task times are real time, so that a frozen or skewed clock neither holds a task up nor ends it.
 */
export const createAsyncListing = (state: EhpcState, quirks: EhpcQuirks, options: ListingOptions): AsyncUserListing => {
  const tasks = new Map<string, Task>();

  const rowOf = (user: EhpcUser): Row => ({
    Name: user.name,
    Group: user.group,
    ...idsOf(user, quirks),
    ...timeOf(user, quirks.asyncAddTime, quirks),
  });

  const start = (clusterId: string): string => {
    for (const [id, task] of tasks) if (performance.now() - task.startedAt > options.asyncLifetimeMs) tasks.delete(id);
    const users = [...state.runningCluster(clusterId).users.values()];
    const id = `t-${options.region.replace(/^cn-/, '').slice(0, 2)}${lowerText(13)}`;
    tasks.set(id, { clusterId, startedAt: performance.now(), rows: users.map(rowOf), endless: false });
    return id;
  };

  const find = (id: string, clusterId: string): Task => {
    const task = tasks.get(id);
    const alive = task !== undefined && performance.now() - task.startedAt <= options.asyncLifetimeMs;
    return alive && task.clusterId === clusterId ? task : refuse('InvalidParams', 'AsyncId');
  };

  const statusOf = (task: Task): 'Processing' | 'Success' | 'Failed' => {
    if (task.endless || options.asyncListing === 'never') return 'Processing';
    if (options.asyncListing === 'instant') return 'Success';
    if (performance.now() - task.startedAt < options.asyncDelayMs) return 'Processing';
    return options.asyncListing === 'fails' ? 'Failed' : 'Success';
  };

  const askedId = (call: EhpcCall): string => call.values.get('AsyncId') ?? '';

  const list = (call: EhpcCall, fault: Fault | null, clusterId: string) => {
    const page = pageOf(call.values, quirks, fault);
    state.runningCluster(clusterId);
    const asked = askedId(call);
    const id = asked === '' ? start(clusterId) : asked;
    const task = find(id, clusterId);
    if (fault?.kind === 'listing_never_ends') task.endless = true;
    // A new task is never finished at once, however short the delay: the first answer of 'delayed' has no users.
    const status = asked === '' && options.asyncListing !== 'instant' ? 'Processing' : statusOf(task);
    const { total, rows } =
      status === 'Success'
        ? takePage(task.rows, page, fault, (position) => rowOf(inventedUser(position)))
        : { total: 0, rows: [] };
    const answer = envelope(page, total, rows, quirks);
    return { ...answer, ...(quirks.asyncId === 'missing' ? {} : { AsyncId: id }), AsyncStatus: status };
  };

  return {
    list,
    hasRows: (call) => {
      const id = askedId(call);
      const task = tasks.get(id);
      return id === '' ? options.asyncListing === 'instant' : task !== undefined && statusOf(task) === 'Success';
    },
  };
};
