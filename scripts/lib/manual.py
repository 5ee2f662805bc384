"""Writes what people read about a program from the program's own help.

usage: manual.py TEMPLATE <HELP      a manual page: TEMPLATE with @HELP@ filled in
       manual.py --configuration <HELP   the default configuration file of ciod

HELP is what a program prints with --experimental-dump-help: version 0 of
swift-argument-parser's ToolInfo, as JSON. So that neither can differ from the program.
"""

import datetime
import json
import os
import re
import sys
import textwrap

# Options of every command, which say nothing about it.
COMMON = {"help", "version"}


def escaped(text):
    """Plain text for mdoc: backslashes and a dot at the beginning of a line mean something there."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def spelled(name):
    return ("-" if name["kind"] == "short" else "--") + name["name"]


def shown(arguments):
    return [one for one in arguments
            if one["shouldDisplay"] and one["valueName"] not in COMMON]


def item(argument):
    """`-c, --capacity <capacity>`, or the name of a positional argument."""
    value = "\\fI" + escaped(argument["valueName"]) + "\\fR"
    if argument["kind"] == "positional":
        return value
    names = ", ".join("\\fB" + escaped(spelled(name)) + "\\fR" for name in argument["names"])
    return names + (" " + value if argument["kind"] == "option" else "")


def explained(argument):
    text = argument.get("abstract", "")
    if argument.get("allValues"):
        text += " (values: " + ", ".join(argument["allValues"]) + ")"
    if argument.get("defaultValue"):
        text += " (default: " + argument["defaultValue"] + ")"
    return escaped(" ".join(text.split()))


def options(arguments):
    if not arguments:
        return []
    lines = [".Bl -tag -width Ds"]
    for argument in arguments:
        lines += [".It " + item(argument), explained(argument)]
    return lines + [".El"]


def discussed(text):
    """Paragraphs; lines that are indented are examples."""
    lines = []
    for paragraph in text.split("\n\n"):
        prose = [line for line in paragraph.split("\n") if not line.startswith("  ")]
        code = [line.strip() for line in paragraph.split("\n") if line.startswith("  ")]
        lines += [".Pp"] + [escaped(line) for line in prose]
        if code:
            lines += [".Bd -literal -offset indent"] + [escaped(line) for line in code] + [".Ed"]
    return lines


def synopsis(words, arguments):
    """The line that a person would type."""
    line = " ".join(words)
    if any(one["kind"] != "positional" for one in arguments):
        line += " [options]"
    for one in arguments:
        if one["kind"] == "positional":
            name = "<" + one["valueName"] + ">" + (" ..." if one["isRepeating"] else "")
            line += " [" + name + "]" if one["isOptional"] else " " + name
    return line


def subcommands(command):
    return [one for one in command.get("subcommands", [])
            if one["shouldDisplay"] and one["commandName"] not in COMMON]


def commands(command, words):
    """A subsection for every command that does something, in the order of the help."""
    lines = []
    for one in subcommands(command):
        path = words + [one["commandName"]]
        if subcommands(one):
            lines += commands(one, path)
            continue
        arguments = shown(one.get("arguments", []))
        lines += [".Ss " + escaped(synopsis(path, arguments)), escaped(one["abstract"])]
        if one.get("aliases"):
            lines += ["Also:", escaped(", ".join(one["aliases"])) + "."]
        lines += options(arguments)
        if one.get("discussion"):
            lines += discussed(one["discussion"])
    return lines


def keys(command):
    """The options that a configuration file may have: all but the one that names the file."""
    return [one for one in shown(command["arguments"]) if one["valueName"] != "config"]


def configured(command):
    """The configuration keys, written like `key = value`."""
    lines = [".Bl -tag -width Ds"]
    for one in keys(command):
        value = "true" if one["kind"] == "flag" else one["valueName"]
        name = one["preferredName"]["name"]
        lines += [".It \\fB" + escaped(name) + "\\fR = \\fI" + escaped(value) + "\\fR",
                  explained(one)]
    return lines + [".El"]


def page(template, command):
    if subcommands(command):
        body = commands(command, [command["commandName"]])
    elif template.endswith(".5"):
        body = configured(command)
    else:
        body = options(shown(command["arguments"]))
    # Like the packages of Debian, the same for the same source.
    stamp = int(os.environ["SOURCE_DATE_EPOCH"])
    today = datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc)
    with open(template, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("@DATE@", f"{today:%B} {today.day}, {today.year}")
    return text.replace("\n@HELP@\n", "\n" + "\n".join(body) + "\n")


def default_file(command):
    """Every key with its help and its default, all of them comments."""
    lines = ["# Configuration of ciod: ciod.conf(5). After a change: systemctl restart ciod", ""]
    for one in keys(command):
        text = " ".join(one.get("abstract", "").split())
        default = re.search(r" ?\(default: ([^()]*)\)", text)
        value = default[1] if default else ""
        # Some defaults are a sentence, and no value to be taken as it stands.
        if " " in value or "<" in value:
            value = ""
        elif default:
            text = text.replace(default[0], "")
        if one["kind"] == "flag":
            value = "false"
        lines += textwrap.wrap(text, 98, initial_indent="# ", subsequent_indent="# ")
        lines += [f"#{one['preferredName']['name']} = {value}".rstrip(), ""]
    return "\n".join(lines[:-1]) + "\n"


def main():
    command = json.load(sys.stdin)["command"]
    if sys.argv[1] == "--configuration":
        sys.stdout.write(default_file(command))
    else:
        sys.stdout.write(page(sys.argv[1], command))


main()
