/** Loaded before the gateway: it ends with the program that started it, however that ends. */
process.on('disconnect', () => process.exit(1));
