/**
 * V8 lets its heap grow to a multiple of what lives in it before it collects. With half as much again, a gateway under load stays close to the
 * memory of an idle one, for some more processor time (docs/decisions/0022-fair-shares.md).
 */
import { setFlagsFromString } from 'node:v8';

const GROWING_PERCENT = 50;

setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
