"""With a private pool the package carries copies of its own, which live beside the installed package."""

from google.type import money_pb2 as installed

from .api.google.api import http_pb2
from .api.google.type import money_pb2
from .api.shop import order_pb2

order = order_pb2.Order(price=money_pb2.Money(units=1))
assert isinstance(order.price, money_pb2.Money) and not isinstance(order.price, installed.Money)
assert installed.Money.FromString(order.price.SerializeToString()).units == 1
assert http_pb2.HttpRule(get="/").get == "/"
