# bash completion of potctl: asks potctl itself, so it never goes stale.
_potctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local words=() i
    COMPREPLY=()
    case $prev in
    --key | --passphrase-file | --dir | --out | --labels | --genesis | --potd)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --node | --key | --passphrase-file | --timeout) ((i++)) ;;
        -*) ;;
        *) words+=("${COMP_WORDS[i]}") ;;
        esac
    done
    [[ ${words[0]} == help ]] && words=("${words[@]:1}")
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "$(potctl help --list "${words[@]}" 2>/dev/null)" -- "$cur")
    elif ((${#words[@]} == 0)); then
        mapfile -t COMPREPLY < <(compgen -W \
            "help $(potctl help --list 2>/dev/null | cut -d' ' -f1)" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(potctl help --list |
            sed -n "s/^${words[0]} //p")" -- "$cur")
        ((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -o filenames -F _potctl potctl
