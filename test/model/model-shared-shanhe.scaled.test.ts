import { model } from './property.js';

model('shanhe-hpc', true);
