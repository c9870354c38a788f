import { crashes, VENDORS } from './crashes.js';

crashes('shanhe-hpc on LMDB', VENDORS['shanhe-hpc'], async (path) => ({ kind: 'lmdb', path }));
