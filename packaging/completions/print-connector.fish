# Completion for fish. The program itself knows what can follow, live names included.
function __print_connector_complete
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    for line in ($words[1] --complete $words[2..-1] "$token" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$token"
        else
            printf '%s\n' $line
        end
    end
end
complete -c print-connector -f -a '(__print_connector_complete)'
