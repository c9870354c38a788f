import { systemClock } from '../../src/clock.js';
import { createRevisions } from '../../src/journal/revisions.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { createEvents } from '../../src/telemetry/events.js';
import { createKeptLists, type KeptLists } from '../../src/users/kept-lists.js';

/** Lists of a gateway that keeps none. */
export const nothingKept: KeptLists = createKeptLists(
  'users',
  createRevisions(createMemoryStore()),
  { ms: 0, maxUsers: 0 },
  systemClock,
  createEvents(),
);
