#!/usr/bin/env bash
# All benchmarks of the whole program, one after another: about half an hour. They print figures
# and judge nothing; README.md says what each shows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
rounds=${1:-9}

python3 cost.py --rounds "$rounds"
python3 cost.py --rounds "$rounds" --connections 10000
python3 open.py --rounds "$rounds"
