"""Everything that lives as long as the shop does, and that pages are made with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from deploy.storefront.catalogue import Catalogue
from deploy.storefront.interface_words import sellers, words_in
from deploy.storefront.outbox import Outbox
from deploy.storefront.pictures import picture
from deploy.storefront.recommender import Recommender
from deploy.storefront.visits import LANGUAGES, Visit, Visits

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Shopper:
    """A customer who can be chosen by name at the top of a page."""

    user_id: str
    name: str


@dataclass(frozen=True)
class Shop:
    """The parts of the shop. Only the thread of the event loop may use them."""

    catalogue: Catalogue
    recommender: Recommender
    outbox: Outbox
    visits: Visits
    shoppers: tuple[Shopper, ...]
    templates: Environment

    def render(
        self, template: str, request: Request, visit: Visit, values: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        """Renders a page with its header. This shows the visit's notice, and removes it."""
        names = {shopper.user_id: shopper.name for shopper in self.shoppers}
        html = self.templates.get_template(template).render(
            visit=visit,
            w=words_in(visit.language),
            here=f"{request.url.path}?{request.url.query}".rstrip("?") if request.method == "GET" else "/",
            notice=visit.take_notice(),
            departments=self.catalogue.departments,
            shoppers=self.shoppers,
            shopper_name=names.get(visit.user_id, "" if visit.user_id.startswith("visitor-") else visit.user_id),
            **values,
        )
        return HTMLResponse(html, status)


def templates() -> Environment:
    """The environment of the templates. It escapes every value; a missing value is an error."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"sellers": sellers, "picture": picture}
    environment.globals["languages"] = LANGUAGES
    return environment
