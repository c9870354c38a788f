import { contract } from '../suite.js';

contract('alibaba-ehpc, numbers for ids, Users as a bare array');
