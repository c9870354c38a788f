import { contract } from './suite.js';

contract('alibaba-ehpc');
