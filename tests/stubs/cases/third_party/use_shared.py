"""In the default pool the classes are those of the installed package."""

from google.rpc import status_pb2
from google.type import money_pb2

from .api.shop import order_pb2

order = order_pb2.Order(price=money_pb2.Money(units=1), status=status_pb2.Status(code=1))
assert isinstance(order.price, money_pb2.Money)
