import { contract } from '../suite.js';

contract('memory');
