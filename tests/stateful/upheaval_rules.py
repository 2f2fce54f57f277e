"""What happens to processes and to Redis."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from recsvc.v1 import catalog_pb2
from tests.stateful.running_shop import SERVERS
from tests.stateful.shop_day import ShopDay, letters, servers

MOST_UPHEAVALS = 3  # a day


class UpheavalRules(ShopDay):
    """Restarts and failovers. Nobody repeats what was said before."""

    @precondition(lambda self: self.upheavals < MOST_UPHEAVALS)
    @rule(server=servers, kill=st.booleans())
    def starts_again(self, server: int, kill: bool) -> None:
        self.tells(f"server {server} {'is killed' if kill else 'is stopped'} and starts again")
        self.upheavals += 1
        self.shop.restart(server, kill=kill)

    @precondition(lambda self: self.upheavals < MOST_UPHEAVALS and not self.shop.redis.behind)
    @rule()
    def the_replica_falls_behind(self) -> None:
        self.tells("the replica of Redis no longer follows: it will lack what is written from now on")
        self.shop.redis.stop_following()

    @precondition(lambda self: self.upheavals < MOST_UPHEAVALS)
    @rule(
        late=st.sampled_from((*SERVERS, None)),
        sold_out=st.lists(letters, unique=True, max_size=5),
        demote=st.booleans(),
    )
    def redis_fails_over(self, late: int | None, sold_out: list[str], demote: bool) -> None:
        """One server may come back later than the other, and items sell out in between."""
        self.upheavals += 1
        lost = f", with all that {', '.join(sorted(self.lagging))} did since" if self.lagging else ""
        end = "lives on as a replica" if demote else "dies"
        self.tells(f"the master of Redis {end}, and its replica takes over{lost}")
        self.shop.redis.fail_over(demote=demote)
        self.lose_shoppers(self.lagging)
        for server in SERVERS:
            if server != late:
                self.shop.redis.reconnect(server)
        for place, letter in enumerate(sold_out):
            early = 1 - late if late is not None else place % len(SERVERS)
            self.tells(f"{letter} sells out, as server {early} is told")
            self.model.product(self.items[letter]).sold_out = True
            self.shop.set_inventory(early, catalog_pb2.Inventory(item_id=self.items[letter], stock=0))
        if late is not None:
            self.tells(f"server {late} finds the new master only now")
            self.shop.redis.reconnect(late)

    @precondition(lambda self: self.upheavals < MOST_UPHEAVALS)
    @rule()
    def redis_comes_back_empty(self) -> None:
        self.tells("Redis is killed, and comes back empty: all that shoppers did is lost")
        self.upheavals += 1
        self.shop.redis.empty()
        self.lose_shoppers(list(self.model.shoppers))
