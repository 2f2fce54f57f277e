"""Searches in a shopper's own words, which are not the shop's words, in English and in Chinese."""

from rich.console import Console

from training.demo.client import Client
from training.demo.tables import SURFACE_ITEMS, searches_table

SHOPPER = "demo-searching"  # nothing is known about this user, so taste has no part in the results
# What a shopper types, and what it means in English where it is not English.
ENGLISH = (
    ("she keeps clawing the sofa", ""),
    ("somewhere for the puppy to sleep", ""),
    ("i can't open my eyes in the pool", ""),
)
CHINESE = (
    ("爬山穿的鞋", "shoes to climb a mountain in"),
    ("去海边怕晒黑", "afraid of getting sunburnt at the seaside"),
    ("给狗狗睡觉的", "for the dog to sleep in"),
)


def show_searches(client: Client, queries: tuple[tuple[str, str], ...], console: Console) -> None:
    """Searches for each query and prints the first items of its list.

    Raises:
        grpc.RpcError: The service refuses a call.
    """
    lists = [
        (query, meaning, client.list_of("SEARCH", SHOPPER, SURFACE_ITEMS, query=query)) for query, meaning in queries
    ]
    console.print(searches_table(lists, client.items))
