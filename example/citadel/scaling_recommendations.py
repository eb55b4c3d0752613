#!/usr/bin/env python3
"""python scaling_recommendations.py --analysis=bottleneck_analysis.json --target-load=1000"""
import sys

from plimsoll_command import become

become("recommend", *sys.argv[1:])
