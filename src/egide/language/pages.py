"""Pages from templates, in a language: escaped by default, nothing undefined passed over."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from egide.language.catalogues import available, catalogue
from egide.language.choice import name
from egide.language.times import day, duration, moment


@cache
def environment(language: str, domain: str, package: str, folder: str) -> Environment:
    """The templates of `folder` in `package`, with the words of `language` for `domain`.

    Templates mark texts by `{% trans %}` or `_("…")`. They have the globals `language` and
    `languages`, a list of (tag, name), and the filters `moment`, `day` and `duration`.
    """
    made = Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    words = catalogue(language, domain)
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    made.globals["language"] = language
    made.globals["languages"] = [(tag, name(tag)) for tag in available()]
    made.filters["moment"] = lambda at: moment(at, language)
    made.filters["day"] = lambda at: day(at, language)
    made.filters["duration"] = lambda seconds: duration(seconds, language)
    return made
