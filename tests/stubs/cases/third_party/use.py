"""Messages of an installed package that ships its .proto files (googleapis-common-protos)."""

from .api.shop import order_pb2, order_pb2_grpc

order = order_pb2.Order()
order.price.currency_code = "EUR"
order.price.units = 12
order.status.code = 5
assert order_pb2.Order.FromString(order.SerializeToString()) == order
assert order_pb2_grpc.OrdersStub is not None
