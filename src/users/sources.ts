/** Where users of a cluster come from: the list that is kept, where it may be served, or the vendor; what was read whole is kept. */
import type { Call, UserSlice, VendorUser } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import { capabilitiesOf } from '../clusters/directory.js';
import type { Target } from '../clusters/registry.js';
import type { Role } from '../model.js';
import type { Position } from './cursor.js';
import { type FoundUsers, findUser, findUsers, incompleteList, walk } from './find.js';
import { createList, type KeptList, type KeptLists, type Look } from './kept-lists.js';
import { createSearchTrust } from './search-trust.js';

export interface Filter {
  readonly search?: string | undefined;
  readonly role?: Role | undefined;
}

/** Those of the list that are asked for. */
export const fitting = (list: KeptList, { search, role }: Filter): readonly VendorUser[] => {
  const named = search === undefined ? list.users : list.search(search);
  return role === undefined ? named : named.filter((user) => user.role === role);
};

export interface Dated {
  /** When the vendor was asked, in milliseconds since 1970. */
  readonly readAt: number;
}

export interface Sources {
  /** Whether the vendor's own search finds all that ours would. */
  isSearchTrusted(target: Target, call: Call): Promise<boolean>;
  /** All users, or, by a vendor's own search, some that have those in them who are searched for: such a list is not kept. */
  all(
    target: Target,
    look: Look,
    asked: Pick<Position, 'snapshot'> & Pick<Filter, 'search'>,
    call: CallerCall,
  ): Promise<{ readonly list: KeptList; readonly isKept: boolean }>;
  /** A window of all users, which maps to vendor pages. */
  window(
    target: Target,
    look: Look,
    limit: number,
    position: Position,
    call: CallerCall,
  ): Promise<Dated & { readonly slice: UserSlice }>;
  /** The user of this very name, or null. */
  one(target: Target, username: string, call: CallerCall): Promise<Dated & { readonly user: VendorUser | null }>;
  /** The users of these very names. @throws vendor_bad_response where the list is not whole, with what is not known then */
  among(
    target: Target,
    usernames: readonly string[],
    call: CallerCall,
    whether?: string,
  ): Promise<Dated & Omit<FoundUsers, 'isWhole'>>;
}

export const createSources = (lists: KeptLists): Sources => {
  const trusts = createSearchTrust();
  const isSearchTrusted = async (target: Target, call: Call): Promise<boolean> =>
    capabilitiesOf(target).search === 'native' && (await trusts(target, call));

  return {
    isSearchTrusted,

    all: async (target, look, { search, snapshot }, call) => {
      const isNative = search !== undefined && (await isSearchTrusted(target, call));
      const asked = { ...(isNative && { search }), ...(snapshot !== undefined && { snapshot }) };
      const { value: list } = await lists.share(target, look, ['all', asked], call, async (shared, before) => {
        const { users, omitted, isWhole } = await walk(target, shared, asked);
        if (!isWhole) throw incompleteList(target);
        return isNative ? createList(users, omitted, before.at) : lists.keep(target, before, users, omitted);
      });
      return { list, isKept: !isNative };
    },

    window: async (target, look, limit, { offset, snapshot }, call) => {
      const { account, vendorClusterId } = target;
      const asked = { offset, limit, ...(snapshot !== undefined && { snapshot }) };
      const { value: slice, readAt } = await lists.share(target, look, ['window', asked], call, async (shared, before) => {
        const read = (): Promise<UserSlice> => account.adapter.listUsers(vendorClusterId, asked, shared);
        // One that is incomplete is read once more; an answer that silently lacks users would be wrong.
        const first = await read();
        const found = first.incomplete ? await read() : first;
        const isWhole = offset === 0 && found.total !== null && found.total <= limit && !found.incomplete;
        if (isWhole) lists.keep(target, before, found.users, found.omitted ?? 0);
        return found;
      });
      if (slice.incomplete) throw incompleteList(target);
      return { slice, readAt };
    },

    one: async (target, username, call) => {
      const look = await lists.look(target, call);
      const { list } = look;
      const kept = list?.get(username);
      // A row that names nobody may be theirs.
      if (list && (kept || list.omitted === 0)) return { user: kept ?? null, readAt: list.readAt };
      const { value: user, readAt } = await lists.share(target, look, ['user', username], call, (shared, before) =>
        findUser(target, username, shared, {
          isLookUpTrusted: () => isSearchTrusted(target, shared),
          onWhole: (users, omitted) => lists.keep(target, before, users, omitted),
        }),
      );
      return { user, readAt };
    },

    among: async (target, usernames, call, whether) => {
      const look = await lists.look(target, call);
      const { list } = look;
      if (list) {
        const { omitted, readAt } = list;
        const found = new Map(usernames.map((name) => [name, list.get(name) ?? null]));
        return { found, complete: omitted === 0, omitted, readAt };
      }
      const { isWhole, ...found } = await findUsers(target, usernames, call, {
        onWhole: (users, omitted) => lists.keep(target, look, users, omitted),
      });
      if (!isWhole) throw incompleteList(target, whether);
      return { ...found, readAt: look.at };
    },
  };
};
