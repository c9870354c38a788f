import { runs } from '../support/mode.js';
import { fuzz } from './property.js';

fuzz({ store: 'memory', requests: runs(300, 4_000), isFaulty: true });
