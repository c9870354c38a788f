import { crashesOnRedis } from './crashes-redis.js';

crashesOnRedis('shanhe-hpc');
