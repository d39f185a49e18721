# Completion for bash. The program itself knows what can follow, live names included.
_print_connector() {
	local cur words cword line
	_get_comp_words_by_ref -n := cur words cword
	COMPREPLY=()
	while IFS= read -r line; do
		if [[ $line == :files ]]; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		else
			COMPREPLY+=("${line%%$'\t'*}")
		fi
	done < <("${words[0]}" --complete "${words[@]:1:cword}" 2>/dev/null)
	__ltrim_colon_completions "$cur"
}
complete -F _print_connector print-connector
