"""The text that people of the demonstration say yes to."""

from consent.rules.texts import Piece, Written
from consent.vocabulary import Part

TEXTS = (
    Written(
        "en",
        "Your yes to sharing",
        (
            Piece(Part.EASY, "You choose what they get. You can say no. You can stop."),
            Piece(
                Part.WHAT, "You choose what is shared, kind by kind. What you leave out stays here."
            ),
            Piece(Part.WHOM, "It goes to one place. You see its name before you say yes."),
            Piece(Part.WHY, "They use it for one thing. You see it before you say yes."),
            Piece(Part.UNTIL, "It ends on a day that you see. It never goes on by itself."),
            Piece(
                Part.DELETE,
                "When it ends we ask them to delete it. They have thirty days. They tell us when it is done.",
            ),
            Piece(
                Part.RISKS,
                "They may still have what they got. We can not see who reads it there.",
            ),
            Piece(
                Part.OTHER_WAYS,
                "You can share less. You can tell them yourself. You can wait. You can say no.",
            ),
            Piece(Part.SERVICES, "You get the same help if you say no, and if you stop."),
            Piece(
                Part.STOP,
                "Say so, on your page, on paper or out loud. It counts at once. Then we send no more.",
            ),
        ),
    ),
    Written(
        "es",
        "Su sí para compartir",
        (
            Piece(Part.EASY, "Usted elige lo que les llega. Puede decir no. Puede parar."),
            Piece(Part.WHAT, "Usted elige qué se da, dato por dato. Lo demás se queda aquí."),
            Piece(Part.WHOM, "Va a un solo lugar. Usted ve el nombre antes de decir sí."),
            Piece(Part.WHY, "Lo usan para una sola cosa. Usted la ve antes de decir sí."),
            Piece(Part.UNTIL, "Acaba en un día que usted ve. Nunca sigue sin su sí."),
            Piece(
                Part.DELETE,
                "Al final les pedimos que lo borren. Tienen un mes. Nos dicen que ya está hecho.",
            ),
            Piece(Part.RISKS, "Lo que ya tienen, lo pueden guardar. No vemos quién lo lee allí."),
            Piece(
                Part.OTHER_WAYS,
                "Puede dar menos. Lo puede decir usted. Puede esperar. Puede decir no.",
            ),
            Piece(Part.SERVICES, "La ayuda es la misma si dice no, y también si para."),
            Piece(
                Part.STOP,
                "Dígalo en su página, en papel o en voz alta. Vale al instante. No va nada más.",
            ),
        ),
    ),
)
