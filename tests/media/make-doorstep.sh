#!/usr/bin/env bash
# Draws doorstep.mp4 with ffmpeg's own sources: make-doorstep.sh [OUT]. No camera and no person was filmed.
# A wall with a door, a lamp and a mat; after half a second a figure walks up, stops at the door and waits.
set -eu
out=${1:-doorstep.mp4}
walk='min(-60+110*max(t-0.5\,0)\,182)' # x of the figure's left edge: it stands still from t = 2.7 s on
step='if(lt(t\,2.7)\,sin(t*12)*7\,0)'  # its legs swing while it walks
ffmpeg -hide_banner -loglevel error -y -filter_complex "
color=c=0x8fa3b0:s=320x240:r=12:d=6,
drawbox=x=0:y=0:w=320:h=60:c=0xc9d6df:t=fill, drawbox=x=0:y=196:w=320:h=44:c=0x6b6258:t=fill,
drawbox=x=222:y=70:w=70:h=126:c=0x5a3a22:t=fill, drawbox=x=229:y=78:w=56:h=48:c=0x6f4a2d:t=fill,
drawbox=x=229:y=134:w=56:h=54:c=0x6f4a2d:t=fill, drawbox=x=228:y=132:w=6:h=6:c=0xe0c060:t=fill,
drawbox=x=206:y=76:w=8:h=14:c=0xffe9a0:t=fill, drawbox=x=216:y=194:w=82:h=8:c=0x3d3530:t=fill[scene];
color=c=0x27364a:s=12x44:r=12:d=6,split[l1][l2]; color=c=0x9c3b2f:s=34x56:r=12:d=6[body];
color=c=0xd9a880:s=24x24:r=12:d=6,format=rgba,
geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lte(hypot(X-11.5,Y-11.5),11.5),255,0)'[head];
[scene][l1]overlay=x='$walk+4+$step':y=160[a]; [a][l2]overlay=x='$walk+18-$step':y=160[b];
[b][body]overlay=x='$walk':y=108[c]; [c][head]overlay=x='$walk+5':y=84,format=yuv420p" \
	-c:v libx264 -preset veryslow -crf 28 -g 36 -movflags +faststart -map_metadata -1 -fflags +bitexact -flags:v +bitexact "$out"
