"""A deposit bag's number is kept as a bank's text carries it, so that it is unique as it is sought.

Where two earlier bags have one number, the later stays as it was typed: both cannot hold it.
"""

from alembic import op
from sqlalchemy import text

from gateway.domain.till import bag_number

revision = "0015"
down_revision = "0014"

_BAGS = text("SELECT agency_id, id, bag FROM shift WHERE bag IS NOT NULL ORDER BY agency_id, id")
_KEPT = text("UPDATE shift SET bag = :number WHERE agency_id = :agency AND id = :id")


def upgrade() -> None:
    connection = op.get_bind()
    bags = connection.execute(_BAGS).all()
    held = {(b.agency_id, b.bag) for b in bags}
    for agency, shift, bag in bags:
        number = bag_number(bag)
        if number and (agency, number) not in held:
            held.add((agency, number))
            connection.execute(_KEPT, {"agency": agency, "id": shift, "number": number})
