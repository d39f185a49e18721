#compdef print-connector
# Completion for zsh. The program itself knows what can follow, live names included.
local line
local -a found
for line in "${(@f)$(${words[1]} --complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
	if [[ $line == :files ]]; then
		_files
		return
	fi
	[[ -z $line ]] || found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
done
_describe -V 'print-connector' found
