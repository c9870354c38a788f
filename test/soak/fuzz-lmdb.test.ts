import { fuzz } from '../fuzz/property.js';

/** In the soak nothing else runs beside it for most of the time. */
const MAX_GAP_MS = 1_000;

fuzz({ store: 'lmdb', requests: 5_000, maxGapMs: MAX_GAP_MS });
fuzz({ store: 'lmdb', requests: 3_000, isFaulty: true });
