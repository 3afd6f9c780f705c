#!/bin/sh
# Prints the next high water of a harbour: tides.sh HARBOUR
awk -F, -v harbour="${1:?which harbour?}" '$1 == harbour { print $1 ": high water at " $2 }' "$(dirname "$0")/harbours.csv"
