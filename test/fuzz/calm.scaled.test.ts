import { runs } from '../support/mode.js';
import { fuzz } from './property.js';

fuzz({ store: 'memory', requests: runs(900, 8_000) });
