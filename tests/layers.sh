#!/usr/bin/env bash
# Reads the includes of every C file and holds them against tests/layers.txt. Closing line: `layers: N files, 0 wrong`.
set -eu
cd "$(dirname "$0")/.."
git ls-files -co --exclude-standard 'lib/*.[ch]' 'proto/*.[ch]' 'plugin/**.[ch]' 'plugin/*.[ch]' 'clients/**.[ch]' | sort -u |
awk '
function rule_of(file,   dir) { dir = file; sub(/\/[^\/]*$/, "", dir); while (!(dir in allow) && dir ~ /\//) sub(/\/[^\/]*$/, "", dir); return dir }
BEGIN {
	while ((getline line < "tests/layers.txt") > 0) {
		if (line ~ /^#/ || line == "") continue
		split(line, half, ":"); key = half[1]
		if (key ~ /^ext /) { sub(/^ext /, "", key); ext[key] = " " half[2] " " } else allow[key] = " " half[2] " "
	}
}
{
	file = $0; files++; dir = rule_of(file)
	if (!(dir in allow)) { print file ": no rule for its folder"; wrong++; next }
	while ((getline line < file) > 0) {
		if (line !~ /^[ \t]*#[ \t]*include/) continue
		inc = line; sub(/^[^"<]*["<]/, "", inc); sub(/[">].*/, "", inc)
		if (line ~ /"/) {
			if (inc ~ /^vestibule\/v1\//) { if (dir != "proto" && index(allow[dir], " proto ") == 0) { print file ": generated code without proto"; wrong++ } continue }
			target = inc; sub(/\/[^\/]*$/, "", target)
			if (target == inc) { print file ": include \"" inc "\" is not written from the root"; wrong++; continue }
			if (target != dir && index(target, dir "/") != 1 && index(allow[dir], " " target " ") == 0) { print file ": may not include " inc; wrong++ }
		} else for (e in ext) if (index(inc, e) == 1 && index(ext[e], " " dir " ") == 0) { print file ": <" inc "> belongs to" ext[e]; wrong++ }
	}
	close(file)
}
END { printf "layers: %d files, %d wrong\n", files, wrong; exit wrong > 0 || files == 0 }'
