"""What all commands share: how help looks, and the options that may stand anywhere.

typer loads pydantic as soon as it converts one value, even a missing one: half of the time of a --help.
So groups have no options for typer to convert: those that may stand anywhere are taken out before, and
a group shows its help by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from iotctl.exits import BadInputError

if TYPE_CHECKING:
    from iotctl.agent import Agent

HELP_WIDTH = 100
HELP_OPTIONS = ("-h", "--help")
HELP_ROW = ("-h, --help", "Show this.")
ANYWHERE = (
    ("--url URL", "Agent: http://HOST:48484 or unix:///PATH; also IOTCTL_URL."),
    ("--api-key KEY", "Its key; also IOTCTL_API_KEY."),
    ("--context NAME", "device, cluster, or a context of the kubeconfig; also IOTCTL_CONTEXT."),
    ("--namespace NAME", "Of the cluster; also IOTCTL_NAMESPACE."),
    ("--no-color", "Never colour; also NO_COLOR."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options that may stand anywhere on the command line."""

    url: str = ""
    api_key: str = ""
    context: str = ""
    namespace: str = ""
    no_color: bool = False

    def agent(self) -> Agent:
        """The agent, or the cluster, that is meant. Raises: BadInputError for an address that is none."""
        from iotctl.contexts import find_agent
        from iotctl.settings import read_settings

        try:
            settings = read_settings()
        except ValueError as error:
            raise BadInputError(str(error)) from error
        return find_agent(
            settings, url=self.url, api_key=self.api_key, context=self.context, namespace=self.namespace
        )


def take_options(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """The options that may stand anywhere, and the arguments without them.

    Raises: BadInputError for one without its value.
    """
    found = {"--url": "", "--api-key": "", "--context": "", "--namespace": ""}
    rest: list[str] = []
    left = iter(arguments)
    for argument in left:
        name, equals, value = argument.partition("=")
        if argument == "--":
            rest += [argument, *left]
        elif name in found:
            found[name] = value if equals else next(left, "")
            if not found[name]:
                raise BadInputError(f"{name} needs a value.", hint="iotctl help connection says more.")
        elif argument != "--no-color":
            rest.append(argument)
    no_color = "--no-color" in arguments and "--no-color" not in rest
    options = Options(
        url=found["--url"],
        api_key=found["--api-key"],
        context=found["--context"],
        namespace=found["--namespace"],
        no_color=no_color,
    )
    return options, rest


def agent_of(context: typer.Context) -> Agent:
    """The agent that this command speaks with."""
    options = context.obj
    return (options if isinstance(options, Options) else Options()).agent()


class Command(TyperCommand):
    """A command whose help has neither types in brackets nor braces: the words of arguments say it all."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """In a line that is being completed an option without its value must not hide what is before it."""
        unfinished = ctx.resilient_parsing and args and args[-1].startswith("-")
        return super().parse_args(ctx, args[:-1] if unfinished else args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line."""
        return [self.options_metavar or "", *(argument_name(one) for one in _params(self, "argument"))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options."""
        arguments = [(argument_name(one), one.help or "") for one in _params(self, "argument")]
        options = [(option_name(one), option_help(one)) for one in _params(self, "option")]
        for title, rows in (("Arguments", arguments), ("Options", [*options, HELP_ROW])):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class Group(TyperGroup):
    """Commands under headings, in the order in which they were written."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help when it is asked for, or when no command is."""
        if not ctx.resilient_parsing and (not args or args[0] in HELP_OPTIONS):
            print(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands; there are no options."""
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each under its heading."""
        named = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        shown = [(name, command) for name, command in named if not command.hidden]
        width = max((len(name) for name, _ in shown), default=0)
        room = formatter.width - 6 - width
        headings = dict.fromkeys(heading_of(command) for _, command in shown)
        for heading in headings:
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(room))
                        for name, command in shown
                        if heading_of(command) == heading
                    ]
                )


class Front(Group):
    """The outermost group, with the options that may stand anywhere."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take those options out of a line that is being completed; `main` has taken out the others."""
        if ctx.resilient_parsing:
            with suppress(BadInputError):
                ctx.obj, args = take_options(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write those options, then the commands."""
        with formatter.section("Options, anywhere on the line"):
            formatter.write_dl([*ANYWHERE, ("-h, --help", "Show this, or the help of a command.")])
        self.format_commands(ctx, formatter)


def new_group(name: str, help: str, *, epilog: str = "", cls: type[Group] = Group) -> typer.Typer:
    """A group of commands that looks like all others; without a command it shows its help."""
    group = typer.Typer(
        name=name,
        cls=cls,
        help=help,
        epilog=epilog,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        add_help_option=False,
        options_metavar="",
        subcommand_metavar="COMMAND ...",
        context_settings={"help_option_names": list(HELP_OPTIONS), "max_content_width": HELP_WIDTH},
    )
    group.callback()(_nothing)
    return group


def command(
    group: typer.Typer,
    name: str,
    *,
    heading: str = "Commands",
    examples: tuple[str, ...] = (),
    hidden: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command of that group; its docstring is the help.

    Args:
        hidden: it is another name of a command, and the overview leaves it out.
    """
    epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples) if examples else None
    return group.command(
        name,
        cls=Command,
        rich_help_panel=heading,
        epilog=epilog,
        options_metavar="[OPTIONS]",
        hidden=hidden,
    )


def argument_name(argument: Any) -> str:
    """An argument as usage lines show it."""
    return str(argument.metavar or argument.name.upper())


def option_name(option: Any) -> str:
    """An option with all its names and what stands for its value: `-n, --tail N`."""
    names = ", ".join(sorted(option.opts, key=len))
    other = f" / {', '.join(option.secondary_opts)}" if option.secondary_opts else ""
    if option.is_flag:
        return f"{names}{other}"
    choices = option.type_descriptor.choices
    return f"{names} {option.metavar or ('|'.join(str(one) for one in choices) if choices else 'N')}"


def option_help(option: Any) -> str:
    """What an option means, and what holds without it."""
    text, default = str(option.help or ""), option.default
    if option.required:
        return f"{text} Required."
    return text if default in (None, "", False, (), []) else f"{text} Default: {default}."


def _nothing() -> None:
    """A group does nothing by itself."""


def _params(command: Any, kind: str) -> list[Any]:
    """Arguments or options of a command, without those that nobody is told of."""
    return [one for one in command.params if one.param_type_name == kind and not one.hidden]


def heading_of(found: Any) -> str:
    """The heading that help shows a command under."""
    panel = getattr(found, "rich_help_panel", None)
    return panel if isinstance(panel, str) else "Commands"
