import { crashes, VENDORS } from './crashes.js';

crashes('alibaba-ehpc on LMDB', VENDORS['alibaba-ehpc'], async (path) => ({ kind: 'lmdb', path }));
