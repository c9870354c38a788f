#!/bin/sh
# A course from a CSV. `ensure` creates who is missing and leaves everybody else: the import can be run again.
set -eu
cd "$(dirname "$0")/../.."
cluster=${1:-demo-ehpc}

echo "What would be done:"
node dist/api/server.js import examples/csv-import/course.csv --cluster "$cluster" --dry-run
echo "Doing it:"
node dist/api/server.js import examples/csv-import/course.csv --cluster "$cluster" --yes
