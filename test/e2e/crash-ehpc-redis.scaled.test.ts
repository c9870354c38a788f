import { crashesOnRedis } from './crashes-redis.js';

crashesOnRedis('alibaba-ehpc');
