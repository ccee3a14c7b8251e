#!/bin/sh
sed "s/PORT/$PORT/" /etc/server/default.template > /etc/server/default.conf
