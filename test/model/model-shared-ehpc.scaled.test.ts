import { model } from './property.js';

model('alibaba-ehpc', true);
